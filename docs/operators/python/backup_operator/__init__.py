"""An operator that makes backups of claims, by schedules."""
