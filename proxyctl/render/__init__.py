"""How answers are printed: tables for people, tsv, csv, json, jsonl and ids for programs, and progress. The only part
that imports rich, and only where something is drawn; `shapes` and `output` are what commands use.
"""
