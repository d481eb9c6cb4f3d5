#include "labelprobe/core/error_kind.h"

#include "labelprobe/core/error.h"

namespace labelprobe {

void fail(ErrorKind kind, const std::string& message) {
  switch (kind) {
    case ErrorKind::Config:
      throw ConfigError(message);
    case ErrorKind::Data:
      throw DataError(message);
    case ErrorKind::Model:
      throw ModelError(message);
  }
  throw InternalError(message);
}

}  // namespace labelprobe
