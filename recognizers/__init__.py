"""The recognizer pack: data only, one TOML file per entity type and word lists."""
