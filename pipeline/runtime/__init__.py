"""(room: runtime)"""
