/*
 * The callee's side of sipgen: rings and answers at once, repeats its 200 until the ACK comes
 * (13.3.1.4), and registers itself when the system under test is a registrar.
 */
/* @returns the leg with this Call-ID, a new one when `make`, NULL for none (or no room). */
static Leg *leg_of(Span call_id, bool make) {
  uint64_t key = 1469598103934665603u;
  for (int k = 0; k < call_id.len; k++) key = (key ^ (uint8_t)call_id.at[k]) * 1099511628211u;
  int at = (int)(key >> 20) & leg_mask;
  for (; leg_index[at] >= 0; at = (at + 1) & leg_mask)
    if (legs[leg_index[at]].key == key) return &legs[leg_index[at]];
  if (!make || leg_count == leg_room) return NULL;
  Leg *leg = &legs[leg_count];
  leg->key = key;
  leg->timer.owner = -1 - leg_count;
  leg_index[at] = leg_count++;
  return leg;
}

static int callee_answer(const Message *m, const Address *from, const char *status, bool tag,
                         bool body) {
  char *p = next_slot(uas);
  int n = add(p, 0, "SIP/2.0 %s\r\n", status);
  for (int k = 0; k < m->vias; k++) n = add(p, n, "Via: %.*s\r\n", m->via[k].len, m->via[k].at);
  if (tag)
    for (int k = 0; k < m->records; k++)
      n = add(p, n, "Record-Route: %.*s\r\n", m->record[k].len, m->record[k].at);
  n = add(p, n, "From: %.*s\r\nTo: %.*s", m->from.len, m->from.at, m->to.len, m->to.at);
  if (tag) n = add(p, n, ";tag=u%llx%x", (unsigned long long)run_id, (unsigned)callee.invite);
  n = add(p, n, "\r\nCall-ID: %.*s\r\nCSeq: %.*s\r\n", m->call_id.len, m->call_id.at, m->cseq.len,
          m->cseq.at);
  if (tag) n = add(p, n, "Contact: <sip:callee@%s:%d>\r\n", uas_ip, ntohs(uas_address.sin_port));
  if (body)
    n = add(p, n, "%sContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", features,
            (int)strlen(sdp), sdp);
  else n = add(p, n, "Content-Length: 0\r\n\r\n");
  queue(uas, n, from);
  return n;
}

static void send_answer(const Leg *leg) {
  char *p = next_slot(uas);
  memcpy(p, leg->answer, (size_t)leg->length);
  queue(uas, leg->length, &leg->to);
}

static void drop_answer(Leg *leg) {
  free(leg->answer);
  leg->answer = NULL;
  disarm(&leg->timer);
}

static void callee_invited(const Message *m, const Address *from, uint64_t t) {
  Leg *leg = leg_of(m->call_id, false);
  if (leg) { /* a repetition (the 200 again, until it is acknowledged) */
    if (leg->answer) send_answer(leg);
    return;
  }
  leg = leg_of(m->call_id, true);
  if (!leg) {
    callee.full++;
    ok_to(uas, m, from, "503 Generator Full");
    return;
  }
  callee.invite++;
  callee_answer(m, from, "100 Trying", false, false);
  callee_answer(m, from, "180 Ringing", true, false);
  leg->length = callee_answer(m, from, "200 OK", true, true);
  leg->answer = malloc((size_t)leg->length);
  memcpy(leg->answer, uas->out_bytes[uas->queued - 1], (size_t)leg->length);
  leg->to = *from;
  leg->phase = t;
  arm(&leg->timer, t + T1);
}

static void leg_due(int i, uint64_t t) {
  Leg *leg = &legs[i];
  if (!leg->answer) return;
  if (t >= leg->phase + (uint64_t)give_up_ms * 1000) {
    callee.unacked++;
    drop_answer(leg);
    return;
  }
  repeats.answer++;
  send_answer(leg);
  arm(&leg->timer, next_repeat(t, ++leg->tries, T2));
}

static int registered;
static bool *is_registered;

static void callee_got(const Message *m, const Address *from, uint64_t t) {
  if (m->status) {
    if (!method_is(cseq_method(m), "REGISTER") || m->status < 200) return;
    long user = strtol(m->call_id.at, NULL, 10);
    if (m->status >= 300) refuse("REGISTER of %ld was answered %d", user, m->status);
    if (user < first_user || user >= first_user + users || is_registered[user - first_user]) return;
    is_registered[user - first_user] = true;
    registered++;
  } else if (method_is(m->method, "INVITE")) callee_invited(m, from, t);
  else if (method_is(m->method, "ACK")) {
    Leg *leg = leg_of(m->call_id, false);
    if (leg && leg->answer) {
      callee.ack++;
      drop_answer(leg);
    }
  } else if (method_is(m->method, "BYE")) {
    Leg *leg = leg_of(m->call_id, false);
    if (!leg) callee.unknown++;
    else if (!leg->ended) {
      leg->ended = true;
      callee.bye++;
    }
    ok_to(uas, m, from, leg ? "200 OK" : "481 No Such Call");
  } else ok_to(uas, m, from, "200 OK");
}
