/*
 * As much of SIP as sipgen must understand of what it gets: one pass over the header lines, spans
 * into the received bytes, no copies. It reads what well-behaved systems send; it is no parser.
 */
typedef struct { const char *at; int len; } Span;
enum { MANY = 8 };
typedef struct {
  int status; /* 0: a request */
  Span method, via[MANY], record[MANY], from, to, call_id, contact, cseq;
  int vias, records;
} Message;

static bool named(Span name, const char *full, char compact) {
  if (name.len == 1) return compact && (name.at[0] | 32) == compact;
  return name.len == (int)strlen(full) && strncasecmp(name.at, full, (size_t)name.len) == 0;
}

static void read_header(Message *m, Span name, Span v) {
  switch (name.at[0] | 32) {
    case 'v': if (named(name, "Via", 'v') && m->vias < MANY) m->via[m->vias++] = v; break;
    case 'r':
      if (named(name, "Record-Route", 0) && m->records < MANY) m->record[m->records++] = v;
      break;
    case 'f': if (named(name, "From", 'f')) m->from = v; break;
    case 't': if (named(name, "To", 't')) m->to = v; break;
    case 'i': if (named(name, "Call-ID", 'i')) m->call_id = v; break;
    case 'm': if (named(name, "Contact", 'm')) m->contact = v; break;
    case 'c':
      if (named(name, "Call-ID", 'i')) m->call_id = v;
      else if (named(name, "CSeq", 0)) m->cseq = v;
      else if (named(name, "Contact", 'm')) m->contact = v;
  }
}

/* `p` ends in NUL. False for what is no SIP message with the headers every one must have. */
static bool read_message(const char *p, Message *m) {
  memset(m, 0, sizeof *m);
  if (strncmp(p, "SIP/2.0 ", 8) == 0) {
    m->status = atoi(p + 8);
    if (m->status < 100 || m->status > 699) return false;
  } else {
    m->method = (Span){p, (int)strcspn(p, " \r\n")};
  }
  for (const char *line = strstr(p, "\r\n"); line && line[2] && line[2] != '\r';) {
    line += 2;
    const char *end = strstr(line, "\r\n");
    const char *colon = end ? memchr(line, ':', (size_t)(end - line)) : NULL;
    if (!colon) return false;
    int name = (int)(colon - line);
    while (name > 0 && line[name - 1] == ' ') name--;
    const char *value = colon + 1;
    while (value < end && *value == ' ') value++;
    if (name > 0) read_header(m, (Span){line, name}, (Span){value, (int)(end - value)});
    line = end;
  }
  return m->vias > 0 && m->from.len && m->to.len && m->call_id.len && m->cseq.len;
}

static bool method_is(Span s, const char *name) {
  return s.len == (int)strlen(name) && memcmp(s.at, name, (size_t)s.len) == 0;
}

static Span cseq_method(const Message *m) {
  int skip = (int)strspn(m->cseq.at, "0123456789 ");
  return (Span){m->cseq.at + skip, m->cseq.len - skip};
}

/* <sip:user@1.2.3.4:5060;x> -> the URI; without brackets, up to a parameter. */
static Span uri_in(Span v) {
  const char *open = memchr(v.at, '<', (size_t)v.len);
  if (open) {
    const char *close = memchr(open, '>', (size_t)(v.at + v.len - open));
    if (close) return (Span){open + 1, (int)(close - open - 1)};
  }
  const char *end = memchr(v.at, ';', (size_t)v.len);
  return (Span){v.at, end ? (int)(end - v.at) : v.len};
}
