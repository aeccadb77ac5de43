"""(room: config)"""
