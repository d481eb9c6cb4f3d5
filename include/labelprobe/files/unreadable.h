// A file that is there and could not be opened or read, which another attempt may do: nothing is
// known of what is in it. A file that is missing or not permitted is a plain DataError.
#pragma once

#include "labelprobe/core/error.h"

namespace labelprobe::files {

class UnreadableError : public DataError {
 public:
  using DataError::DataError;
};

}  // namespace labelprobe::files
