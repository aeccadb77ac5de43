"""Floor 4: what leaves in a provable form: the audit log, certificates, and the verifier that needs nothing else."""
