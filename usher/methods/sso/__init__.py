"""Ways in: single sign-on by Microsoft, Google or any OpenID provider, which seats people by itself."""
