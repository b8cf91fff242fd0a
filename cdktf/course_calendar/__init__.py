"""The imported calendar: what a calendar program exports, the rules for its events, and the table beside `lab.toml`."""
