#include "shim/env.h"

#include <string.h>

#define PREFIX  "MPTCP_"
#define PRELOAD "LD_PRELOAD="
#define DISABLE "MPTCP_RUN_DISABLE="

static bool starts(const char *s, const char *head)
{
	return strncmp(s, head, strlen(head)) == 0;
}

/* length of NAME= */
static size_t name_len(const char *var)
{
	return strcspn(var, "=") + 1;
}

static size_t count(char *const envp[])
{
	size_t n = 0;

	while (envp && envp[n]) {
		n++;
	}
	return n;
}

void env_keep(struct env_keep *k, const char *preload, char *const envp[])
{
	k->preload = preload ? preload : "";
	k->n = 0;
	k->used = 0;
	for (size_t i = 0; envp && envp[i] && k->n < ENV_KEEP_MAX; i++) {
		size_t size = strlen(envp[i]) + 1;

		if (!starts(envp[i], PREFIX) ||
		    size > sizeof(k->text) - k->used) {
			continue;
		}
		memcpy(k->text + k->used, envp[i], size);
		k->at[k->n++] = (unsigned)k->used;
		k->used += size;
	}
}

static bool has_name(char *const envp[], const char *var)
{
	size_t len = name_len(var);

	for (size_t i = 0; envp && envp[i]; i++) {
		/* an empty value counts as none */
		if (strncmp(envp[i], var, len) == 0 && envp[i][len]) {
			return true;
		}
	}
	return false;
}

/* "NAME=" of a variable that is to be put back: getenv() would find it first */
static bool is_blank(const struct env_keep *k, const char *var)
{
	size_t len = name_len(var);

	for (unsigned i = 0; i < k->n && var[len - 1] && !var[len]; i++) {
		if (strncmp(k->text + k->at[i], var, len) == 0) {
			return true;
		}
	}
	return false;
}

/* path is one of the words, separated as the loader does it */
static bool has_word(const char *list, const char *path)
{
	size_t len = strlen(path);

	while (*list) {
		size_t n = strcspn(list, " :");

		if (n == len && memcmp(list, path, n) == 0) {
			return true;
		}
		list += n;
		list += strspn(list, " :");
	}
	return false;
}

static const char *find_preload(char *const envp[])
{
	for (size_t i = 0; envp && envp[i]; i++) {
		if (starts(envp[i], PRELOAD)) {
			return envp[i] + strlen(PRELOAD);
		}
	}
	return NULL;
}

bool env_complete(const struct env_keep *k, char *const envp[])
{
	const char *list = find_preload(envp);

	if (!list || !has_word(list, k->preload)) {
		return false;
	}
	for (unsigned i = 0; i < k->n; i++) {
		if (!has_name(envp, k->text + k->at[i])) {
			return false;
		}
	}
	return true;
}

bool env_disabled(char *const envp[])
{
	for (size_t i = 0; envp && envp[i]; i++) {
		if (starts(envp[i], DISABLE)) {
			const char *v = envp[i] + strlen(DISABLE);

			return *v && strcmp(v, "0") != 0;
		}
	}
	return false;
}

size_t env_patch_size(const struct env_keep *k, char *const envp[])
{
	const char *list = find_preload(envp);

	return (count(envp) + k->n + 2) * sizeof(char *) + strlen(PRELOAD) +
	       (list ? strlen(list) + 1 : 0) + strlen(k->preload) + 1;
}

char *const *env_patch(const struct env_keep *k, char *const envp[], void *buf)
{
	const char *list = find_preload(envp);
	char **out = buf, *text;
	size_t n = 0;

	union {
		const char *in;
		char *out;
	} var; /* execve() takes char *const[], and changes nothing */

	for (size_t i = 0; envp && envp[i]; i++) {
		if (!starts(envp[i], PRELOAD) && !is_blank(k, envp[i])) {
			out[n++] = envp[i];
		}
	}
	for (unsigned i = 0; i < k->n; i++) {
		var.in = k->text + k->at[i];
		if (!has_name(envp, var.in)) {
			out[n++] = var.out;
		}
	}
	text = (char *)buf + (count(envp) + k->n + 2) * sizeof(char *);
	out[n++] = text;
	out[n] = NULL;
	strcpy(text, PRELOAD);
	if (list && *list) {
		strcat(text, list);
		if (has_word(list, k->preload)) {
			return out;
		}
		strcat(text, ":");
	}
	strcat(text, k->preload);
	return out;
}
