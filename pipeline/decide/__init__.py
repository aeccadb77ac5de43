"""(room: decide)"""
