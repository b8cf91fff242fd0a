"""What a workspace holds, as plain data: one module for each API, named after its folder."""
