"""(room: ingest)"""
