"""(room: incident)"""
