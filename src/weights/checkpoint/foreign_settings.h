// Settings with which other decoders differ from the block of a family: another activation, caps of
// logits, experts, norms of queries and keys, multipliers, attention that is not causal. A
// checkpoint that uses one computes something else than we would, even under a name that we know.
#pragma once

#include "labelprobe/files/gguf.h"
#include "labelprobe/files/json.h"

#include "weights/families/family.h"

namespace labelprobe::weights {

// Throws ModelError (file, key, expected, found) for a setting that is in use. Its absence, null
// and the value that changes nothing are fine, and so are the family's own settings and those that
// bear on training alone.
void refuse_foreign_settings(const files::JsonView& config, const Family& family);
void refuse_foreign_settings(const files::GgufFile& file, const Family& family);

}  // namespace labelprobe::weights
