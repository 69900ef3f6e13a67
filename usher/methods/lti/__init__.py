"""Ways in: an LMS by LTI 1.3, which seats people by itself, takes content and gets grades back."""
