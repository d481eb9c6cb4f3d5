#include "labelprobe/files/copy_file.h"

#include "labelprobe/files/mapped_file.h"
#include "labelprobe/files/output_file.h"

namespace labelprobe::files {

void copy_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  const MappedFile source(from);
  OutputFile copy(to);
  copy.stream() << source.text();
  copy.finish();
}

}  // namespace labelprobe::files
