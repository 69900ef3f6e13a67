// Plain pages that work without script. Every form has one button that goes on, and it comes first.

export const safe = (text) => String(text ?? '').replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)

export const page = (title, inside) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${safe(title)}</title>
<style>body{font:1.1rem sans-serif;max-width:28rem;margin:3rem auto;padding:0 1rem}
label,input,button{display:block;font:inherit;margin:.4rem 0}input{width:100%;box-sizing:border-box}</style>
<h1>${safe(title)}</h1>
${inside}
</html>`

export const loginPage = (name, { login = '', problem = '' } = {}) => page(`Sign in with ${name}`, `
${problem && `<p role="alert">${safe(problem)}</p>`}
<form method="post">
<label for="login">Account</label>
<input id="login" name="login" value="${safe(login)}" autocomplete="username" required>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button>Sign in</button>
</form>`)

export const consentPage = (scopes, hidden = {}) => page('Permissions requested', `
<p>The application asks for:</p>
<ul>${scopes.map((scope) => `<li>${safe(scope)}</li>`).join('')}</ul>
<form method="post">
${Object.entries(hidden).map(([name, value]) => `<input type="hidden" name="${safe(name)}" value="${safe(value)}">`).join('')}
<button name="answer" value="Accept">Accept</button>
<button name="answer" value="Cancel">Cancel</button>
</form>`)

export const approvalPage = () => page('Need admin approval', `
<p>The application needs permission to access resources in your organisation that only an admin can grant.</p>
<form method="post"><button name="answer" value="Cancel">Return to the application without granting consent</button></form>`)

export const stopPage = (code, sentence) => page('Sorry, but we’re having trouble signing you in.', `
<p>${safe(code)}: ${safe(sentence)}</p>`)
