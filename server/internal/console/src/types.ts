// What the REST API answers, as far as the console shows it: proto names, what is empty left out. Numbers of 64 bits may be texts.

export type Count = number | string;

export interface FilterMessage {
  entities?: string[];
  event_types?: string[];
  actions?: string[];
  contexts?: string[];
  sources?: string[];
  primary_keys?: number[];
  changed_fields?: string[];
  exclude_changed_by_associate_ids?: number[];
}

export type Values = Readonly<Record<string, unknown>>;

export interface HeadgateEvent {
  cursor: string;
  event_id: string;
  entity: string;
  event_type: string;
  action?: string;
  context: string;
  source: string;
  primary_key?: number;
  changed_by_associate_id?: number;
  webhook_name?: string;
  changed_fields?: string[];
  occurred_at?: string;
  received_at: string;
  first_received_at?: string;
  traceparent?: string;
  relation?: Values;
  associate?: Values;
  fields?: Values;
}

export interface Gap {
  reason?: string;
  source?: string;
  contexts?: string[];
  from_time?: string;
  to_time?: string;
  cause?: string;
}

export interface Erased {
  source?: string;
  context?: string;
  entity?: string;
}

export interface Started {
  filter?: FilterMessage;
  unknown_names?: string[];
}

export interface StreamMessage {
  cursor?: string;
  events?: HeadgateEvent[];
  started?: Started;
  checkpoint?: { through?: string; caught_up?: boolean };
  gap?: Gap;
  erased?: Erased;
  closing?: { reason?: string; retry_after?: string };
}

export interface StatusMessage {
  code?: number;
  message?: string;
  details?: { "@type"?: string; reason?: string; retry_delay?: string; retryDelay?: string; metadata?: Record<string, string> }[];
}

export interface LogDescription {
  epoch?: string;
  earliest_time?: string;
  latest_time?: string;
  known_event_types?: string[];
  tenants?: { source?: string; context?: string }[];
  operator?: boolean;
}

export interface SourceStatus {
  source: string;
  contexts?: string[];
  accepted?: Count;
  duplicates?: Count;
  quarantined?: Count;
  refused?: Count;
  tests?: Count;
  last_accepted_at?: string;
  last_heard_at?: string;
  expected_by?: string;
  refused_by_cause?: Record<string, Count>;
  last_secret_id?: string;
  unauthenticated_in_a_row?: Count;
  awaiting_secret_until?: string;
  stopped?: boolean;
  suspected?: string[];
  suspected_gaps?: Count;
  last_suspected?: Gap;
}

export interface Status {
  version?: string;
  started_at?: string;
  ready?: boolean;
  problem?: string;
  log?: {
    epoch?: string;
    records?: Count;
    size_bytes?: Count;
    free_bytes?: Count;
    earliest_time?: string;
    latest_time?: string;
    quarantined?: Count;
    quarantined_bytes?: Count;
    quarantine_dropped?: Count;
    format?: number;
    newest_format?: number;
  };
  sources?: SourceStatus[];
  streams?: number;
  last_not_ready?: Gap;
}

export interface HistoryPoint {
  at: string;
  over?: string;
  posts?: Record<string, Count>;
  events_sent?: Count;
  lag?: string;
  delivery?: string;
  log_size_bytes?: Count;
}

export interface Stream {
  id: string;
  client_name?: string;
  peer?: string;
  started_at?: string;
  filter?: FilterMessage;
  events_sent?: Count;
  lag?: string;
  caught_up?: boolean;
  reader?: string;
  state?: string;
  cursor?: string;
  credential?: string;
  subscription?: string;
}

export interface ReaderSubscription {
  reader?: string;
  subscription: {
    name: string;
    shard_count?: number;
    created_at?: string;
    lag?: string;
    saved_at?: string;
    served?: number;
    standing_by?: number;
    endangered?: boolean;
  };
  shards?: { index?: number; cursor?: string; saved_at?: string; lag?: string; member?: string; client_name?: string }[];
}

export interface Quarantined {
  id: string;
  source?: string;
  context?: string;
  event_type?: string;
  received_at?: string;
  problem?: string;
  body_size?: number;
  content_type?: string;
}

export interface Reprocessed {
  id: string;
  outcome?: string;
  problem?: string;
}
