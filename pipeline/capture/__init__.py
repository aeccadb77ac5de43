"""(room: capture)"""
