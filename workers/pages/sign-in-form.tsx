export function SignInForm({ error }: { error?: string }) {
  return (
    <form class="sign-in" method="post" action="/account/sign-in">
      {error !== undefined && (
        <p class="error" id="key-error" role="alert">
          {error}
        </p>
      )}
      <label for="key">API key</label>
      <input
        id="key"
        name="key"
        type="password"
        autocomplete="current-password"
        spellcheck={false}
        required
        maxlength={256}
        aria-describedby={error === undefined ? 'key-hint' : 'key-error key-hint'}
        {...(error === undefined ? {} : { 'aria-invalid': 'true' })}
      />
      <p class="quiet" id="key-hint">
        It begins with <code>ab_</code> and needs the scope <code>read</code>. The browser keeps a session of at most twelve hours, not the
        key; it ends with the key.
      </p>
      <button type="submit">Sign in</button>
    </form>
  )
}
