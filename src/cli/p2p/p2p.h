/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2p.h - what the parts of busway p2p share.
 *
 *   p2p.c        the command: which functions, which question
 *   question.c   both views of a pair; names of things
 *   path.c       the way of a pair, step by step
 *   tree.c       functions from the root down
 *   order.c      the order of the matrix, and its groups
 *   matrix.c     all pairs for people
 *   pair.c       one pair for people
 *   carried.c    one pair carried out on the simulated fabric
 *   notes.c      what could not be read, and known root complexes
 *   groups.c     --groups: see groups.h
 *   p2p_json.c   the answer for machines
 *   drawing.c    what a drawing shows
 *   p2p_dot.c    the tree as a graph
 *   p2p_svg.c    the tree as a picture
 */
#ifndef BUSWAY_CLI_P2P_H
#define BUSWAY_CLI_P2P_H

#include "../cli.h"

#include <busway/p2p.h>
#include <busway/system.h>

/* What is asked: each of @a with each of @b, in this order. */
struct question {
	const struct loaded *loaded;
	const struct busway_system *machine;
	const struct busway_pci *pci;
	struct busway_p2p_policy policy;
	bool cpu_unknown; /* neither the machine nor the command line says which processor it is */
	const busway_pci_id *a, *b;
	size_t a_count, b_count;
};

/* ---- question.c ---- */

/* A pair in the view that was asked for, and in the other one. */
struct views {
	struct busway_p2p p, other;
	bool differ; /* in the verdict, or in how certain it is */
};

void decide_both(const struct question *question, busway_pci_id a, busway_pci_id b,
		 struct views *views);

/* "route" and "linux". */
const char *view_name(enum busway_p2p_view view);
enum busway_p2p_view other_view(enum busway_p2p_view view);

const char *verdict_name(enum busway_p2p_verdict verdict);

/* "bus", "cpu" or "iova"; NULL where it is refused. */
const char *address_form(enum busway_p2p_verdict verdict);

const char *function_type_name(enum busway_pci_type type);

bool has_memory(const struct busway_pci_function *function);

/* "no ACS", "ACS unknown", "ACS off" or "ACS SV, RR"; "" of what cannot have it. */
const char *acs_state(const struct busway_pci_function *function, char *text, size_t size);

/* "root complex, not known to forward", or known, and by what. */
enum { HOST_TEXT = 128 };
void host_text(const struct question *question, busway_pci_host_id host, char *text, size_t size);

/* ---- carried.c ---- */

/* What the simulated fabric does with a request from the one to the other, hop by hop. */
void put_carried(struct page *page, const struct question *question, const struct busway_p2p *p);

/* ---- path.c ---- */

enum leg {
	LEG_START, /* the initiator */
	LEG_UP,
	LEG_TURN, /* the bridge below which it turns */
	LEG_HOST, /* a host bridge */
	LEG_DOWN,
	LEG_END, /* the target */
};

struct step {
	enum leg leg;
	busway_pci_id id; /* none: .host */
	busway_pci_host_id host;
};

enum { PATH_MOST = 2 * 258 + 3 };

/* The way of a request, or the way that it would have to go. */
struct path {
	struct step steps[PATH_MOST];
	size_t count;
};

void path_make(const struct busway_pci *pci, busway_pci_id a, busway_pci_id b,
	       const struct busway_p2p *p, struct path *path);
bool path_has(const struct path *path, busway_pci_id id);
const char *leg_name(enum leg leg);

/* Does it go up, or down, between @id and what is above it? */
bool path_goes_up(const struct busway_pci *pci, const struct path *path, busway_pci_id id);
bool path_goes_down(const struct busway_pci *pci, const struct path *path, busway_pci_id id);

/* What is off there that the request needs: enum busway_p2p_need. */
unsigned step_needs(const struct busway_pci *pci, const struct step *step);

/* ---- tree.c ---- */

/* Lists of what is below each function, and on each root bus; in the order of addresses. */
struct pci_tree {
	const struct busway_pci *pci;
	uint32_t *first, *next; /* by function; UINT32_MAX: none */
	uint32_t *root;         /* by host bridge */
};

/* False after a complaint. */
bool pci_tree_make(const struct busway_pci *pci, struct pci_tree *tree);
void pci_tree_free(struct pci_tree *tree);

/* The function behind @id from the root down, below one host bridge; or none. @skip: without what
 * is below @id. */
busway_pci_id pci_tree_next(const struct pci_tree *tree, busway_pci_id id, bool skip);
busway_pci_id pci_tree_first(const struct pci_tree *tree, busway_pci_host_id host);
bool pci_tree_is_leaf(const struct pci_tree *tree, busway_pci_id id);

/* How many functions are below a bridge. */
size_t pci_tree_count_below(const struct pci_tree *tree, busway_pci_id id);

/* ---- order.c ---- */

/* A row and a column of the matrix. */
struct place {
	busway_pci_id id;
	uint32_t host;
	uint32_t group; /* the highest bridge that others are below, too; UINT32_MAX: none */
};

/* Those of the question in the order of the matrix, with neighbours of one group side by side.
 * free() it. NULL after a complaint. @all: those without memory as well. */
struct place *make_places(const struct question *question, bool all, size_t *count);
bool begins_group(const struct place *places, size_t i);

/* ---- drawing.c ---- */

/* The tree of buses; with the way of a pair, or with what one initiator reaches. */
struct drawing {
	const struct question *question;
	struct pci_tree tree;
	bool pair, reach;
	struct views views; /* of the pair */
	struct path path;   /* of the pair; else empty */
};

/* False after a complaint. */
bool drawing_make(const struct question *question, const struct options *options,
		  struct drawing *drawing);

/* The next function to be drawn below a host bridge: what is below bridges off the way of a pair
 * is left out. */
busway_pci_id drawing_next(const struct drawing *drawing, busway_pci_id id);
bool drawing_folds(const struct drawing *drawing, busway_pci_id id);

/* Is there anything below this host bridge that is to be drawn? */
bool drawing_has_host(const struct drawing *drawing, busway_pci_host_id host);

/* A target in a drawing of what one initiator reaches: decide. */
bool drawing_target(const struct drawing *drawing, busway_pci_id id, struct busway_p2p *p);

/* What is said of a function: its type, its ACS, its verdict. */
void put_label(FILE *out, const struct drawing *drawing, busway_pci_id id, const char *separator);
void put_title(FILE *out, const struct drawing *drawing);

/* ---- notes.c ---- */

/* By file; free() them. NULL after a complaint, and none then. */
struct busway_system_gap *sorted_gaps(const struct question *question, size_t *count);

void put_gaps(struct page *page, const struct question *question, const struct options *options);
int list_hosts(const struct options *options);

/* ---- the answers ---- */

int p2p_json(const struct question *question, bool one);
int p2p_matrix(const struct question *question, const struct options *options);
int p2p_pair(const struct question *question, const struct options *options);

/* The tree; of a pair with its way, of one initiator with the verdict of each target. */
int p2p_dot(const struct question *question, const struct options *options);
int p2p_svg(const struct question *question, const struct options *options);

#endif
