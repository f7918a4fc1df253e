#include "stack/chan/conf.h"

#include <stdio.h>
#include <string.h>

#define SPEC_MAX 256
#define MTU_MIN  1280 /* IPv6 needs it (RFC 8200 section 5) */
#define MTU_MAX  65535
#define HOW_TO   "write NAME,addr=ADDR/LEN,peer=ADDR[,backup][,mtu=N]"

/* one spec taken apart, before it is merged into the device's entry */
struct spec {
	const char *name, *addr, *peer, *mtu;
	bool backup;
};

static bool take_word(struct spec *s, char *word, char why[CONF_ERR_MAX])
{
	if (strncmp(word, "addr=", 5) == 0) {
		s->addr = word + 5;
	} else if (strncmp(word, "peer=", 5) == 0) {
		s->peer = word + 5;
	} else if (strncmp(word, "mtu=", 4) == 0) {
		s->mtu = word + 4;
	} else if (strcmp(word, "backup") == 0) {
		s->backup = true;
	} else {
		return conf_refuse(why, "'%.40s' means nothing here; " HOW_TO,
				   word);
	}
	return true;
}

/* text is cut up in place */
static bool split(char *text, struct spec *s, char why[CONF_ERR_MAX])
{
	char *next = strchr(text, ',');

	*s = (struct spec){ .name = text };
	while (next) {
		char *word = next + 1;

		*next = '\0';
		next = strchr(word, ',');
		if (next) {
			*next = '\0';
		}
		if (!take_word(s, word, why)) {
			return false;
		}
	}
	if (!s->addr || !s->peer) {
		return conf_refuse(why, "device '%.15s' has no %s; " HOW_TO,
				   s->name, s->addr ? "peer=" : "addr=");
	}
	return true;
}

/* what Linux accepts as a device name (dev_valid_name) and no '%', which would
 * make it number devices */
static bool name_ok(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n < CONF_NAME_LEN && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0 && strpbrk(name, "/:% \t\n=") == NULL;
}

static bool usable(const struct addr *a)
{
	return !addr_is_any(a) && !addr_is_multicast(a) &&
	       !addr_is_loopback(a) && !addr_is_v4mapped(a);
}

static bool read_addr(const struct spec *s, struct conf_tun_addr *out,
		      char why[CONF_ERR_MAX])
{
	unsigned bits;

	if (!strchr(s->addr, '/')) {
		return conf_refuse(why,
				   "addr=%.46s has no prefix length; write "
				   "addr=%.46s/24",
				   s->addr, s->addr);
	}
	if (!addr_parse_net(s->addr, &out->addr, &bits) || bits == 0) {
		return conf_refuse(why,
				   "addr=%.50s is no address with a prefix "
				   "length; write addr=10.0.0.2/24",
				   s->addr);
	}
	if (!addr_parse(s->peer, &out->peer)) {
		return conf_refuse(why,
				   "peer=%.46s is no address; give the device "
				   "an address of the kernel's side",
				   s->peer);
	}
	if (out->addr.family != out->peer.family) {
		return conf_refuse(
			why,
			"addr=%.46s and peer=%.46s are not of one "
			"family; use IPv4 with IPv4 or IPv6 with IPv6",
			s->addr, s->peer);
	}
	if (!usable(&out->addr) || !usable(&out->peer)) {
		return conf_refuse(
			why,
			"addr=%.46s, peer=%.46s: loopback, multicast "
			"and unspecified addresses cannot be used; choose "
			"others",
			s->addr, s->peer);
	}
	if (addr_eq(&out->addr, &out->peer)) {
		return conf_refuse(
			why,
			"addr and peer are both %.46s; the stack and "
			"the kernel need an address each",
			s->peer);
	}
	out->bits = (uint8_t)bits;
	return true;
}

static bool read_mtu(const char *text, uint16_t *out, char why[CONF_ERR_MAX])
{
	unsigned v = 0;

	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9' || v > MTU_MAX) {
			v = 0;
			break;
		}
		v = v * 10 + (unsigned)(*p - '0');
	}
	if (v < MTU_MIN || v > MTU_MAX) {
		return conf_refuse(why, "mtu=%.20s is not within %d..%d", text,
				   MTU_MIN, MTU_MAX);
	}
	*out = (uint16_t)v;
	return true;
}

static struct conf_tun *find_or_add(struct run_conf *c, const char *name)
{
	struct conf_tun *t;

	for (unsigned i = 0; i < c->n_tun; i++) {
		if (strcmp(c->tun[i].name, name) == 0) {
			return &c->tun[i];
		}
	}
	if (c->n_tun == CONF_TUNS_MAX) {
		return NULL;
	}
	t = &c->tun[c->n_tun++];
	*t = (struct conf_tun){ .mtu = CONF_MTU_DEFAULT };
	memcpy(t->name, name, strlen(name) + 1);
	return t;
}

bool conf_tun_parse(struct run_conf *c, const char *spec,
		    char why[CONF_ERR_MAX])
{
	struct conf_tun_addr a = { 0 };
	char text[SPEC_MAX];
	uint16_t mtu = 0;
	struct conf_tun *t;
	struct spec s;

	if (strlen(spec) >= sizeof(text)) {
		return conf_refuse(why, "'%.40s...' is too long; " HOW_TO,
				   spec);
	}
	memcpy(text, spec, strlen(spec) + 1);
	if (!split(text, &s, why)) {
		return false;
	}
	if (!name_ok(s.name)) {
		return conf_refuse(why,
				   "'%.40s' is no device name; use up to %d "
				   "letters, digits, '-' or '.'",
				   s.name, CONF_NAME_LEN - 1);
	}
	if (!read_addr(&s, &a, why) || (s.mtu && !read_mtu(s.mtu, &mtu, why))) {
		return false;
	}
	t = find_or_add(c, s.name);
	if (!t) {
		return conf_refuse(why, "more than %d devices; leave some out",
				   CONF_TUNS_MAX);
	}
	if (t->n_addr == CONF_TUN_ADDRS_MAX) {
		return conf_refuse(why,
				   "more than %d addresses on '%s'; leave some "
				   "out",
				   CONF_TUN_ADDRS_MAX, t->name);
	}
	t->addr[t->n_addr++] = a;
	t->backup = t->backup || s.backup;
	t->mtu = mtu ? mtu : t->mtu;
	return true;
}

int conf_tun_text(const struct conf_tun *t, unsigned addr, char *buf, size_t n)
{
	const struct conf_tun_addr *a = &t->addr[addr];
	char us[ADDR_TEXT_MAX], peer[ADDR_TEXT_MAX];

	return snprintf(buf, n, "%s,addr=%s/%u,peer=%s,mtu=%u%s", t->name,
			addr_text(&a->addr, us), a->bits,
			addr_text(&a->peer, peer), t->mtu,
			t->backup ? ",backup" : "");
}
