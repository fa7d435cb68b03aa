/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * refusal.h - why there is no address, as data.
 *
 * A refusal is a record: the reason, the hop that refused, the addresses that were asked of it,
 * the nearest range that would have done, and what would help. Sentences are made from it on
 * demand, without allocating. One table feeds the text, the JSON codes, the manual page and a
 * test that each reason can be provoked.
 */
#ifndef BUSWAY_REFUSAL_H
#define BUSWAY_REFUSAL_H

#include <busway/addr.h>

/*
 * id, code, sentence. "asked" is in the addresses of the hop; "limit" means:
 *   beyond-mask      what the mask lets the device emit
 *   address-bits     the nearest run of addresses that the device can emit
 *   no-window        the nearest window of the hop
 *   untranslatable   (none)
 *   straddles        the leading part that does go one way
 *   access           the window or region that forbids the access
 *   aperture         the outbound aperture that claims the addresses
 *   shadowed         the earlier window that takes the addresses
 *   reserved         the carve-out
 *   no-memory        what answers there, where "by" names it; else the nearest memory
 *   unknown-memory   (none)
 *   restricted-pool  the pool
 *   behind-iommu     (none)
 *   segment-limits   how many segments the device takes in one list, as 1..count; or (none)
 *   too-many-hops    (none)
 *   pool-rejected    (none)
 *   no-joint-memory  (none)
 *   no-room          the longest run that all devices share
 *   empty-reach      what the mask lets the device emit, which is also what was asked
 *   live-mapping     what the mask would let the device emit
 *   no-pool          (none)
 *   pool-full, pool-fragmented, pool-too-small
 *                    the pool; how it is used stands in .pool, and the bytes wanted in .needed
 *   pool-unplaced    (none)
 *   no-pointer       (none)
 *   cache-line       the whole cache lines
 *   low-bits         the address that the memory has, to its end
 *   unconfined       (none)
 *   peer-route       what answers there: the aperture
 *   acs-..., no-memory-bar, wiring-unknown, peer-uncertain
 *                    (none)
 *   bridge-window    the window that is nearest to it
 *   bus-claimed      (none)
 *   iova-full, iova-no-run, iova-search-cut
 *                    the addresses that were searched; how the space is used stands in .pool
 *   iova-taken, iova-not-taken
 *                    the part of the range that is out, or that is free
 *   iova-reserved    the reservation
 *   iova-not-allowed the part that nobody may use
 *   iova-mapped, iova-cut
 *                    the mapping that is there
 *   iova-not-mapped  the first part where nothing is mapped
 *   va-mapped        the memory that is mapped already
 *   iova-width       the IOVAs that the page table takes, or the nearer half of them
 *   output-width     the physical addresses that its entries can hold
 *   page-alignment   the whole pages around what was asked
 *   already-mapped   the page that is mapped already, in IOVAs
 *   not-mapped       the first part that is not, up to where the next entry begins
 *   would-split      the page of which the range is a part, in IOVAs
 *   permission, mixed-trust
 *                    (none)
 *   buffer-overlap, buffer-part, buffer-unreached, buffer-access
 *                    the buffer that is registered there; asked and limit are virtual addresses
 *   buffer-unknown   the next buffer; or (none)
 *   buffer-end       the leading part that lies in one buffer
 */
#define BUSWAY_REASONS(X)                                                                          \
	X(BUSWAY_BEYOND_MASK, "beyond-mask", "the device drives no address that high")             \
	X(BUSWAY_ADDRESS_BITS, "address-bits", "the device cannot emit these addresses")           \
	X(BUSWAY_NO_WINDOW, "no-window", "no window of this hop forwards the range")               \
	X(BUSWAY_UNTRANSLATABLE, "untranslatable",                                                 \
	  "no window of this hop leads through the levels above it")                               \
	X(BUSWAY_STRADDLES, "straddles", "parts of the range go different ways")                   \
	X(BUSWAY_ACCESS, "access", "this access is not allowed here")                              \
	X(BUSWAY_APERTURE, "aperture", "an outbound aperture claims the range on the bus")         \
	X(BUSWAY_SHADOWED, "shadowed", "an earlier window of this hop takes the addresses")        \
	X(BUSWAY_RESERVED, "reserved", "the range is in a no-map carve-out")                       \
	X(BUSWAY_NO_MEMORY, "no-memory", "nothing that is known answers here")                     \
	X(BUSWAY_UNKNOWN_MEMORY, "unknown-memory", "the platform does not say where memory is")    \
	X(BUSWAY_RESTRICTED, "restricted-pool", "the device may use its restricted pool only")     \
	X(BUSWAY_BEHIND_IOMMU, "behind-iommu", "an IOMMU translates what the device emits")        \
	X(BUSWAY_SEGMENT_LIMITS, "segment-limits", "the device takes fewer or smaller segments")   \
	X(BUSWAY_TOO_MANY_HOPS, "too-many-hops", "the way never ends: windows lead in a circle")   \
	X(BUSWAY_POOL_REJECTED, "pool-rejected",                                                   \
	  "the flags of the restricted pool contradict its type, so the kernel makes none of it")  \
	X(BUSWAY_NO_JOINT_MEMORY, "no-joint-memory",                                               \
	  "there is no memory that all devices reach, aligned and bounded as asked")               \
	X(BUSWAY_NO_ROOM, "no-room",                                                               \
	  "no run of the shared memory that suits alignment and boundaries is that long")          \
	X(BUSWAY_EMPTY_REACH, "empty-reach",                                                       \
	  "nothing that the device must reach has such an address")                                \
	X(BUSWAY_LIVE_MAPPING, "live-mapping", "the mask would no longer cover a live mapping")    \
	X(BUSWAY_NO_POOL, "no-pool", "the device reaches no pool that serves this")                \
	X(BUSWAY_POOL_FULL, "pool-full", "less than the wanted bytes are free in the pool")        \
	X(BUSWAY_POOL_FRAGMENTED, "pool-fragmented",                                               \
	  "enough is free in the pool, but not in one run that suits alignment and boundaries")    \
	X(BUSWAY_POOL_TOO_SMALL, "pool-too-small",                                                 \
	  "the pool would not serve this if it were empty")                                        \
	X(BUSWAY_POOL_UNPLACED, "pool-unplaced", "nobody has said where the pool was put")         \
	X(BUSWAY_NO_POINTER, "no-pointer",                                                         \
	  "the CPU cannot touch this memory in the way it has to")                                 \
	X(BUSWAY_CACHE_LINE, "cache-line",                                                         \
	  "memory of others may share its first or last cache line, and the device sees no "       \
	  "caches")                                                                                \
	X(BUSWAY_LOW_BITS, "low-bits",                                                             \
	  "its address does not have the low bits that the device's alignment asks for")           \
	X(BUSWAY_UNCONFINED, "unconfined",                                                         \
	  "nothing confines this untrusted device: it would reach more than is mapped")            \
	X(BUSWAY_PEER_ROUTE, "peer-route",                                                         \
	  "this is behind a PCI host bridge, and it is not known to forward from one device to "   \
	  "another")                                                                               \
	X(BUSWAY_IOVA_FULL, "iova-full", "less than the wanted bytes are free in the IOVA space")  \
	X(BUSWAY_IOVA_NO_RUN, "iova-no-run",                                                       \
	  "enough is free in the IOVA space, but not in one run that suits limit, alignment and "  \
	  "boundaries")                                                                            \
	X(BUSWAY_IOVA_SEARCH_CUT, "iova-search-cut",                                               \
	  "no free run was found that suits alignment and boundaries, and not all were looked at") \
	X(BUSWAY_IOVA_TAKEN, "iova-taken", "somebody has these IOVAs")                             \
	X(BUSWAY_IOVA_NOT_TAKEN, "iova-not-taken", "nobody has these IOVAs: they are free")        \
	X(BUSWAY_IOVA_WITHHELD, "iova-reserved", "these IOVAs are reserved")                       \
	X(BUSWAY_IOVA_NOT_ALLOWED, "iova-not-allowed",                                             \
	  "not every device of the group can use "                                                 \
	  "these IOVAs")                                                                           \
	X(BUSWAY_IOVA_MAPPED, "iova-mapped", "something is mapped at these IOVAs")                 \
	X(BUSWAY_IOVA_NOT_MAPPED, "iova-not-mapped", "nothing is mapped at these IOVAs")           \
	X(BUSWAY_IOVA_CUT, "iova-cut", "this is a part of a mapping, and mappings go as a whole")  \
	X(BUSWAY_VA_MAPPED, "va-mapped", "this memory is mapped at another IOVA")                  \
	X(BUSWAY_IOVA_WIDTH, "iova-width", "the page table does not take these IOVAs")             \
	X(BUSWAY_OUTPUT_WIDTH, "output-width",                                                     \
	  "the page table cannot lead to addresses that high")                                     \
	X(BUSWAY_PAGE_ALIGNMENT, "page-alignment",                                                 \
	  "it does not begin and end with a page of the page table")                               \
	X(BUSWAY_ALREADY_MAPPED, "already-mapped", "something is mapped there already")            \
	X(BUSWAY_NOT_MAPPED, "not-mapped", "not all of it is mapped")                              \
	X(BUSWAY_WOULD_SPLIT, "would-split",                                                       \
	  "it is a part of a page, which may not be split or has no smaller ones")                 \
	X(BUSWAY_PERMISSION, "permission",                                                         \
	  "the format of the page table cannot say that this is allowed, and nothing else")        \
	X(BUSWAY_MIXED_TRUST, "mixed-trust",                                                       \
	  "trusted devices and others share no domain: pages would be seen by all")                \
	X(BUSWAY_BUFFER_OVERLAP, "buffer-overlap", "a buffer is registered there already")         \
	X(BUSWAY_BUFFER_UNKNOWN, "buffer-unknown", "no buffer is registered there")                \
	X(BUSWAY_BUFFER_PART, "buffer-part",                                                       \
	  "buffers are unregistered as a whole, as they were registered")                          \
	X(BUSWAY_BUFFER_END, "buffer-end", "this goes on behind the end of the buffer")            \
	X(BUSWAY_BUFFER_UNREACHED, "buffer-unreached", "the device does not reach this buffer")    \
	X(BUSWAY_BUFFER_ACCESS, "buffer-access", "the device may not do that with this buffer")    \
	X(BUSWAY_ACS_REDIRECT, "acs-redirect",                                                     \
	  "ACS sends what goes between peers up to the root complex, which is not known to "       \
	  "forward it")                                                                            \
	X(BUSWAY_ACS_BLOCKED, "acs-blocked", "ACS egress control forbids requests to that port")   \
	X(BUSWAY_ACS_UNKNOWN, "acs-unknown", "its ACS decides, and could not be read")             \
	X(BUSWAY_NO_BAR, "no-memory-bar", "it has no BAR of memory that has an address")           \
	X(BUSWAY_BRIDGE_WINDOW, "bridge-window", "the windows of this bridge do not pass that")    \
	X(BUSWAY_BUS_CLAIMED, "bus-claimed", "something else on the way answers to that")          \
	X(BUSWAY_WIRING_UNKNOWN, "wiring-unknown",                                                 \
	  "what is above it could not be read, or contradicts itself")                             \
	X(BUSWAY_ACS_NO_UPSTREAM, "acs-no-upstream-forwarding",                                    \
	  "what ACS sends up from below leads back down here, and this port does not forward it "  \
	  "(UF is off)")                                                                           \
	X(BUSWAY_PEER_UNCERTAIN, "peer-uncertain",                                                 \
	  "whether it gets there depends on what no register says, or could not be read")

enum busway_reason {
	BUSWAY_NOT_REFUSED,
#define X(id, code, text) id,
	BUSWAY_REASONS(X)
#undef X
		BUSWAY_REASON_COUNT
};

/* What would help. Which operands count is said behind each. */
enum busway_advice_kind {
	BUSWAY_ADVISE_MASK,        /* a mask of .bits would do */
	BUSWAY_ADVISE_WINDOW_BASE, /* the window's bus base must be below 2^.bits */
	BUSWAY_ADVISE_WINDOW,      /* a window at .hop that covers CPU-physical .range */
	BUSWAY_ADVISE_BOUNCE,      /* a bounce pool of .size bytes inside CPU-physical .range */
	BUSWAY_ADVISE_POOL,        /* bounce through the restricted pool .hop at .range */
	BUSWAY_ADVISE_SPLIT,       /* split the access behind .range */
	BUSWAY_ADVISE_NEAREST,     /* .range is near and would do */
	BUSWAY_ADVISE_DOMAIN,      /* map it in a domain of the IOMMU .hop */
	BUSWAY_ADVISE_APERTURE,    /* move the aperture of .hop off .range */
	BUSWAY_ADVISE_SMALLER,     /* ask for .size bytes at most */
	BUSWAY_ADVISE_MEMORY_NODE, /* state the memory: boot loaders fill it in */
	BUSWAY_ADVISE_UNMAP_FIRST, /* unmap what lives at .range, on the device's bus */
	BUSWAY_ADVISE_UNMAP_SOME,  /* wait, or a pool of .size bytes more */
	BUSWAY_ADVISE_OWN_LINES,   /* align to .size bytes, or promise BUSWAY_MAP_OWNS_LINES */
	BUSWAY_ADVISE_PLACE,       /* busway_dma_place_pool() for the pool .hop */
	BUSWAY_ADVISE_ACS,         /* clear .bits in the ACS control register of .hop */
	BUSWAY_ADVISE_PRIVILEGE,   /* read the configuration space of .hop as root */
	BUSWAY_ADVISE_ONE_SWITCH,  /* put both below one switch */
};

struct busway_advice {
	enum busway_advice_kind kind;
	unsigned bits;
	const char *hop;
	bool bus_addresses; /* nearest: .range is on the bus of the hop that refused */
	struct busway_range range;
	uint64_t size;
};

#define BUSWAY_ADVICE_MAX 3

/* How a pool was used when it refused, in bytes. */
struct busway_occupancy {
	uint64_t size, used;
	uint64_t longest;    /* free run */
	uint64_t high_water; /* of .used */
};

struct busway_refusal {
	enum busway_reason reason;
	const char *hop;    /* node or space that refused; lives as long as the platform */
	const char *by;     /* what stands in the way there: pool, aperture, IOMMU; or NULL */
	bool bus_addresses; /* @asked are addresses on a bus, not CPU-physical ones */
	bool no_addresses;  /* @asked means nothing: no address was asked for */
	struct busway_range asked;
	struct busway_range limit;
	bool has_limit;
	uint64_t needed; /* segment-limits: how many segments it would take; pool-...: bytes */
	struct busway_occupancy pool;
	unsigned advice_count;
	struct busway_advice advice[BUSWAY_ADVICE_MAX];
};

/* The code for scripts ("beyond-mask"); "" for BUSWAY_NOT_REFUSED. */
const char *busway_reason_code(enum busway_reason reason);

/* The sentence that belongs to the code. */
const char *busway_reason_text(enum busway_reason reason);

/*
 * Write what happened, or what would help, as text into @buf of @size bytes.
 * Always ends it with a NUL where @size > 0; cuts what does not fit, at a whole character.
 * Return: the length that the whole text has. The advice is "" where nothing would help.
 */
size_t busway_refusal_detail(const struct busway_refusal *refusal, char *buf, size_t size);
size_t busway_refusal_advice(const struct busway_refusal *refusal, char *buf, size_t size);

#endif
