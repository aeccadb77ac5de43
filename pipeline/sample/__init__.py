"""(room: sample)"""
