"""(room: app)"""
