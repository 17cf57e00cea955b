/*
 * What the two halves of the addon share: argument checks, results and ownership of descriptors.
 *
 * House rule of every function that JavaScript sees: the result is a number >= 0, or -errno. Nothing
 * throws because of the operating system, and a bad argument is -EINVAL. (Two functions answer with a
 * string on success; their failures are numbers all the same.)
 */
#ifndef NETLITE_H
#define NETLITE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#ifndef NAPI_VERSION
#define NAPI_VERSION 8
#endif
#include <errno.h>
#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Reads the call's arguments; the missing ones are `undefined`, which every check below refuses. */
#define ARGUMENTS(count)                                                                          \
  napi_value arg[count];                                                                          \
  do {                                                                                            \
    size_t given_ = (count);                                                                      \
    if (napi_get_cb_info(env, info, &given_, arg, NULL, NULL) != napi_ok) return NULL;            \
  } while (0)

#define INVALID number(env, -EINVAL)

static inline napi_value number(napi_env env, int32_t value) {
  napi_value result = NULL;
  napi_create_int32(env, value, &result);
  return result;
}

/* A whole number within [low, high]; anything else, NaN included, is refused. */
bool whole(napi_env env, napi_value value, int64_t low, int64_t high, int64_t *out);
/* true or false, nothing else. */
bool truth(napi_env env, napi_value value, bool *out);
/* Text of at most size-1 bytes without NUL. */
bool text(napi_env env, napi_value value, char *out, size_t size);
/* The bytes [off, off+len) of a Buffer or Uint8Array, checked against its length. */
bool bytes(napi_env env, napi_value view, napi_value off, napi_value len, uint8_t **at, size_t *n);
/* All bytes of a Buffer or Uint8Array. */
bool whole_view(napi_env env, napi_value view, uint8_t **at, size_t *n);
/* A descriptor number. */
bool descriptor(napi_env env, napi_value value, int *fd);
/* The native half of an external made with the same tag. */
bool tagged(napi_env env, napi_value value, const napi_type_tag *tag, void **out);

/*
 * Takes a fresh descriptor into the books of the calling thread: it is closed when that thread's
 * environment ends, unless closed before. Gives fd, or -ENOMEM after closing it.
 */
int keep(napi_env env, int fd);

/* The functions of inet.c. */
extern const napi_property_descriptor inet_functions[];
extern const size_t inet_function_count;

#endif
