"""Instance pools."""
