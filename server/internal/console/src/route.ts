import { Observable } from "./store";

export const PAGES = ["events", "sources", "streams", "subscriptions", "log", "quarantine", "code"] as const;
export type Page = (typeof PAGES)[number];

/** What the address says behind its #: there it can be shared, and does not get into anybody's access log. */
class Route extends Observable {
  page: Page = "events";
  query = new URLSearchParams();

  constructor() {
    super();
    this.#read();
    addEventListener("hashchange", () => {
      this.#read();
      this.changed();
    });
  }

  #read(): void {
    const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
    this.page = PAGES.find((page) => page === path) ?? "events";
    this.query = new URLSearchParams(query);
  }
}

export const route = new Route();

export function hrefOf(page: Page, query: [string, string][] = []): string {
  // Colons and commas may stand as they are behind a #, and are read more easily so.
  const text = new URLSearchParams(query).toString().replaceAll("%3A", ":").replaceAll("%2C", ",");
  return `#/${page}${text ? `?${text}` : ""}`;
}

export function go(page: Page, query: [string, string][] = []): void {
  location.hash = hrefOf(page, query);
}
