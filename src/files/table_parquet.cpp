// Parquet as a table, through the module that is loaded at the first such file.
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include <dlfcn.h>
#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/files/text_file.h"

#include "files/parquet/parquet_module.h"
#include "files/table_readers.h"

namespace labelprobe::files {

namespace {

constexpr std::string_view kParquetMagic = "PAR1";

// Beside the program where it was built, in the library folder where it was installed.
std::filesystem::path find_module() {
  std::error_code none;
  const std::filesystem::path folder =
      std::filesystem::read_symlink("/proc/self/exe", none).parent_path();
  for (const std::filesystem::path& place : {folder, folder / ".." / LABELPROBE_LIBRARY_FOLDER}) {
    if (std::filesystem::exists(place / kParquetModule, none)) return place / kParquetModule;
  }
  return {};
}

struct Module {
  ReadParquet read = nullptr;
  std::string problem;  // why it is not there
};

Module load_module() {
  const std::filesystem::path module = find_module();
  if (module.empty()) {
    return {nullptr, fmt::format("{} is not there; it is built where Apache Arrow is: run "
                                 "scripts/setup.sh, then scripts/build.sh",
                                 kParquetModule)};
  }
  void* handle = ::dlopen(module.c_str(), RTLD_NOW | RTLD_LOCAL);
  void* symbol = handle ? ::dlsym(handle, kReadParquetSymbol) : nullptr;
  if (!symbol) {
    const char* reason = ::dlerror();
    return {nullptr, fmt::format("{} cannot be loaded: {} (pip install "
                                 "'labelprobe[parquet]' brings Apache Arrow)",
                                 module.string(), reason ? reason : "dlopen failed")};
  }
  return {*static_cast<const ReadParquet*>(symbol), {}};
}

// A file that was cut off, or is none, is told in our words.
void check_frame(std::string_view bytes, const std::string& name) {
  constexpr std::size_t kSmallest = 12;  // the magic twice, and the length of the footer
  if (!bytes.starts_with(kParquetMagic)) {
    throw DataError(fmt::format("{}: expected a Parquet file, which begins with 'PAR1', found {}",
                                name, shown(bytes.substr(0, kParquetMagic.size()))));
  }
  if (bytes.size() < kSmallest || !bytes.ends_with(kParquetMagic)) {
    throw DataError(
        fmt::format("{}: expected a Parquet file, which ends with 'PAR1', found {} "
                    "bytes without; it may be cut off: fetch it again",
                    name, bytes.size()));
  }
}

}  // namespace

void read_parquet(std::string_view bytes, TableRows rows, Table& table) {
  check_frame(bytes, table.name);
  static const Module module = load_module();
  if (!module.read) {
    throw DataError(fmt::format(
        "{}: Parquet files need the module for them, and {}; or convert the file to JSON lines, "
        "with pandas: pandas.read_parquet(..).to_json(.., orient='records', lines=True)",
        table.name, module.problem));
  }
  const std::string fault = module.read(bytes, rows, table);
  if (!fault.empty()) {
    throw DataError(fmt::format("{}: expected a whole Parquet file, found a broken one: {}",
                                table.name, fault));
  }
}

}  // namespace labelprobe::files
