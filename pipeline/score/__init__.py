"""(room: score)"""
