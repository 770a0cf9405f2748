"""Diagnosis: what is wrong with a run, since when, why, and what to do. Reads runs only; never imports torch."""
