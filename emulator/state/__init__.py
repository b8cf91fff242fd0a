"""What a workspace is made of apart from any API: clock, scheduler, ids, contents, options, the file it is kept in."""
