"""What moves by itself: found against the background's motion, followed from frame to frame."""
