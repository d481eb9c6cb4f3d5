// What all processes but the first do: they open what it opens, and go through the layers with it.
#pragma once

#include "model/parallel/team.h"

namespace labelprobe::model {

// Until the first process ends; returns the exit code that it has told. Throws ModelError if it
// cannot be reached any more, and as open() does where the first could go on without.
int follow(Team& team);

}  // namespace labelprobe::model
