#include "record/folder/journal.h"

#include <algorithm>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/files/disk.h"
#include "labelprobe/files/mapped_file.h"

#include "record/folder/item_json.h"

namespace labelprobe::record {

namespace {

constexpr std::string_view kItem = R"({"item":)";
constexpr std::string_view kChecksum = R"(,"xxh3":")";
constexpr std::string_view kEnd = R"("})";
constexpr std::size_t kChecksumDigits = 32;

}  // namespace

std::string encode_item(const ItemRecord& item) {
  const files::JsonF32 node = to_json(item);
  try {
    const std::string text = node.dump();
    return fmt::format("{}{}{}{}{}\n", kItem, text, kChecksum, fingerprint(text), kEnd);
  } catch (const files::JsonF32::type_error&) {
    for (const auto& [field, value] : node.items()) {
      try {
        value.dump();
      } catch (const files::JsonF32::type_error&) {
        throw InternalError(
            fmt::format("record of item '{}': field '{}' is not UTF-8", item.key, field));
      }
    }
    throw;
  }
}

std::optional<ItemRecord> decode_item(std::string_view line, const std::string& place) {
  const std::size_t n_behind = kChecksum.size() + kChecksumDigits + kEnd.size();
  if (!line.starts_with(kItem) || line.size() < kItem.size() + n_behind) {
    return std::nullopt;
  }
  const std::string_view text = line.substr(kItem.size(), line.size() - kItem.size() - n_behind);
  std::string behind(kChecksum);
  behind.append(fingerprint(text)).append(kEnd);
  if (line.substr(kItem.size() + text.size()) != behind) {
    return std::nullopt;
  }
  try {
    return from_json(files::JsonF32::parse(text));
  } catch (const files::JsonF32::exception& error) {
    throw DataError(fmt::format("{}: not a record of a finished item ({})", place, error.what()));
  } catch (const DataError& error) {
    throw DataError(fmt::format("{}: not a record of a finished item ({})", place, error.what()));
  }
}

Journal load_journal(const std::filesystem::path& file) {
  Journal journal;
  if (!files::size_of(file)) {
    return journal;
  }
  const files::MappedFile mapped(file);
  const std::string_view text = mapped.text();
  std::size_t line_number = 0;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos;
       end = text.find('\n', journal.n_whole_bytes)) {
    const std::string_view line = text.substr(journal.n_whole_bytes, end - journal.n_whole_bytes);
    const std::string place = fmt::format("{}:{}", file.string(), ++line_number);
    if (std::optional<ItemRecord> item = decode_item(line, place)) {
      journal.items.insert_or_assign(item->key, std::move(*item));
    } else {
      journal.damaged_lines.push_back(line_number);
    }
    journal.n_whole_bytes = end + 1;
  }
  journal.n_torn_bytes = text.size() - journal.n_whole_bytes;
  return journal;
}

std::size_t count_failed(const Journal& journal) {
  return static_cast<std::size_t>(
      std::count_if(journal.items.begin(), journal.items.end(),
                    [](const auto& item) { return item.second.failure.has_value(); }));
}

std::string describe_damage(const Journal& journal) {
  std::string lines;
  for (const std::size_t line : journal.damaged_lines) {
    lines += fmt::format("{}{}", lines.empty() ? "" : ", ", line);
  }
  return fmt::format("damaged lines ({})", lines);
}

}  // namespace labelprobe::record
