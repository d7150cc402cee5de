"""Rendering results: table, tsv, csv, json, jsonl, ids; the only package that imports rich."""
