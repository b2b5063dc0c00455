import { useEffect, useRef, useState } from "preact/hooks";
import { signIn, wordsOf } from "./api";
import { sentence } from "./parts";
import { session } from "./session";

/** Asks for a reader's token. */
export function SignIn({ ended }: { ended: boolean }) {
  const field = useRef<HTMLInputElement>(null);
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => field.current?.focus(), []);
  const submit = async (e: Event): Promise<void> => {
    e.preventDefault();
    const token = field.current?.value.trim() ?? "";
    if (!token) return;
    setBusy(true);
    try {
      if (await signIn(token)) session.feed.stop(); // what another reader saw is not for this one
      await session.begin();
    } catch (failure) {
      setError(sentence(wordsOf(failure)));
      setBusy(false);
      field.current?.select();
    }
  };
  return (
    <main class="alone">
      <form class="signin" onSubmit={(e) => void submit(e)}>
        <h1>Headgate</h1>
        <p class="muted">{ended ? "The session has ended. Sign in again; the events go on where they stopped." : "Sign in with a reader's token. You see what that reader may see."}</p>
        <label for="token">Token</label>
        <input id="token" ref={field} type="password" autocomplete="current-password" spellcheck={false} aria-invalid={error !== ""} aria-describedby="trouble" />
        <p id="trouble" class="trouble" role="alert">{error}</p>
        <button type="submit" class="primary" disabled={busy}>{busy ? "Signing in…" : "Sign in"}</button>
      </form>
    </main>
  );
}
