"""Their field names ↔ our domain: the only place that spells ``cpm_*``. Imports only domain and clock."""
