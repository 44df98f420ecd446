"""From a sealed segment to its acknowledgement: spool, uploader, back-off."""
