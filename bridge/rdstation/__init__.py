"""RD Station CRM's own side: what its events mean."""
