"""(room: recordings)"""
