"""The headless core: reads, judges, plans and writes; knows no terminal."""
