"""The end of a term: its steps, the facts they are judged by, and what carries them out."""
