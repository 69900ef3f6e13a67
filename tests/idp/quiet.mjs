// Imported first: oidc-provider has advice for those who run it in earnest, and nobody reads it here.
console.warn = console.info = () => {}
