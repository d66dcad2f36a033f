/** Asking the server for one thing. */

/** What the server, or the lack of one, has to say instead of an answer. */
export class Failure extends Error {
  constructor(
    message: string,
    /** 0 where no answer came. */
    readonly status: number,
    /** The last part of a problem's type, such as `no-history`; empty where none was told. */
    readonly problem: string,
  ) {
    super(message);
  }
}

/** The failure in an answer that did not go well; errors of the server are problem details (RFC 9457). */
export async function failureOf(response: Response): Promise<Failure> {
  const fallback = `the server answers ${response.status} ${response.statusText}`.trim();
  try {
    const problem = (await response.json()) as { type?: string; title?: string; detail?: string };
    const message = [problem.title, problem.detail].filter(Boolean).join(": ") || fallback;
    return new Failure(message, response.status, problem.type?.split(":").pop() ?? "");
  } catch {
    return new Failure(fallback, response.status, "");
  }
}

/** What to tell of something that was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Failure ? error.message : String(error);
}

/** The failure to get any answer at all. */
export function unreachable(): Failure {
  return new Failure("monitor does not answer: it was stopped, or the way to it is cut", 0, "");
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { headers: { accept: "application/json" }, ...(signal ? { signal } : {}) });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw unreachable();
  }
  if (!response.ok) throw await failureOf(response);
  return (await response.json()) as T;
}
