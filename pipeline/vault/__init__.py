"""(room: vault)"""
