"""Floor 3: the vault. Seals evidence, keeps it, proves that it is what was sealed, and opens it in one place only.

Refuses to know how evidence was found, cut or decided on, and what the platform stores ordinarily.
`docs/vault-format.md` says what lies on disk.
"""
