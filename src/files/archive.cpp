#include "files/archive.h"

#include <algorithm>

#include <fmt/core.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/limits.h"
#include "labelprobe/core/utf8.h"
#include "labelprobe/files/text_file.h"
#include "labelprobe/files/workbook.h"

namespace labelprobe::files {

namespace {

std::string message_of(int code) {
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  std::string message = zip_error_strerror(&error);
  zip_error_fini(&error);
  return message;
}

std::string too_large(const std::string& place) {
  return fmt::format("{}: expected at most {} MiB once unpacked, found more", place,
                     limits::kWorkbookPartBytes >> 20);
}

}  // namespace

Archive::Archive(const std::filesystem::path& path) : path_(path) {
  open_file(path, "a workbook (.xlsx)");
  int code = 0;
  archive_.reset(zip_open(path.c_str(), ZIP_RDONLY, &code));
  if (archive_ == nullptr) {
    throw DataError(fmt::format(
        "{}: expected a workbook (.xlsx, a ZIP archive), found none: {}; the file may be cut off",
        path.string(), message_of(code)));
  }
}

bool Archive::has(const std::string& part) const {
  return zip_name_locate(archive_.get(), part.c_str(), 0) >= 0;
}

std::string Archive::read(const std::string& part) const {
  const std::string place = fmt::format("{}: part {}", path_.string(), part);
  zip_stat_t stat;
  zip_stat_init(&stat);
  if (zip_stat(archive_.get(), part.c_str(), 0, &stat) != 0) {
    throw DataError(place + ": expected this part of a workbook, found none");
  }
  if ((stat.valid & ZIP_STAT_SIZE) != 0 && stat.size > limits::kWorkbookPartBytes) {
    throw DataError(too_large(place));
  }
  const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file(
      zip_fopen_index(archive_.get(), stat.index, 0), zip_fclose);
  if (file == nullptr) {
    throw DataError(fmt::format("{}: cannot be unpacked: {}", place, zip_strerror(archive_.get())));
  }
  std::string content;
  std::string block(std::size_t{1} << 16, '\0');
  while (true) {
    const zip_int64_t n_read = zip_fread(file.get(), block.data(), block.size());
    if (n_read < 0) {
      throw DataError(
          fmt::format("{}: cannot be unpacked: {}", place, zip_file_strerror(file.get())));
    }
    if (n_read == 0) {
      return content;
    }
    content.append(block, 0, static_cast<std::size_t>(n_read));
    // The size that the archive states may be a lie.
    if (content.size() > limits::kWorkbookPartBytes) {
      throw DataError(too_large(place));
    }
  }
}

std::unique_ptr<pugi::xml_document> Archive::parse(const std::string& part) const {
  const std::string content = read(part);
  const std::string place = fmt::format("{}: part {}", path_.string(), part);
  if (!is_utf8(content)) {
    throw DataError(place + ": expected XML in UTF-8, found other bytes");
  }
  auto document = std::make_unique<pugi::xml_document>();
  const pugi::xml_parse_result result = document->load_buffer(
      content.data(), content.size(),
      pugi::parse_default | pugi::parse_ws_pcdata | pugi::parse_doctype, pugi::encoding_utf8);
  if (!result) {
    const auto n_read = std::min(
        static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, result.offset)), content.size());
    const auto n_breaks =
        std::count(content.begin(), content.begin() + static_cast<std::ptrdiff_t>(n_read), '\n');
    throw DataError(fmt::format("{}, line {}: expected XML, found at byte {}: {}", place,
                                n_breaks + 1, n_read, result.description()));
  }
  for (const pugi::xml_node node : document->children()) {
    if (node.type() == pugi::node_doctype) {
      throw DataError(place + ": expected XML without a document type, found <!DOCTYPE");
    }
  }
  return document;
}

std::string local_name(const char* qualified) {
  const std::string name = qualified;
  return name.substr(name.find(':') + 1);
}

}  // namespace labelprobe::files
