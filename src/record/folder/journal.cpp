#include "record/folder/journal.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"
#include "labelprobe/files/disk.h"
#include "labelprobe/files/seekable_file.h"

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

JournalLines::JournalLines(std::span<const ItemRecord> items) : items_(items) {
  for (const ItemRecord& item : items) {
    const std::string line = encode_item(item);
    sizes_.push_back(line.size());
    text_ += line;
  }
}

void JournalLines::append_to(files::AppendFile& journal, ItemStore& store) const {
  std::uint64_t begin = journal.size();
  journal.append(text_);
  journal.sync();
  for (std::size_t i = 0; i < items_.size(); ++i) {
    store.note(items_[i], begin, sizes_[i]);
    begin += sizes_[i];
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

JournalState scan_journal(const std::filesystem::path& file, const TakeItem& take) {
  JournalState state;
  const std::optional<std::uint64_t> n_bytes = files::size_of(file);
  if (!n_bytes) return state;
  std::size_t line_number = 0;
  std::string begun;  // of a line that goes on in the next piece
  const auto take_line = [&](std::string_view line) {
    const std::string place = fmt::format("{}:{}", file.string(), ++line_number);
    if (std::optional<ItemRecord> item = decode_item(line.substr(0, line.size() - 1), place)) {
      take(std::move(*item), line, state.n_whole_bytes);
    } else {
      state.damaged_lines.push_back(line_number);
    }
    state.n_whole_bytes += line.size();
  };
  files::read_pieces(files::SeekableFile(file), 0, *n_bytes, [&](std::string_view piece) {
    for (std::size_t end = piece.find('\n'); end != piece.npos; end = piece.find('\n')) {
      const std::string_view line = piece.substr(0, end + 1);
      if (begun.empty()) {
        take_line(line);
      } else {
        take_line(begun.append(line));
        begun.clear();
      }
      piece.remove_prefix(end + 1);
    }
    begun.append(piece);
  });
  state.n_torn_bytes = begun.size();
  return state;
}

ItemStore read_journal(const std::filesystem::path& file) {
  ItemStore items;
  scan_journal(file, [&](const ItemRecord& item, std::string_view line, std::uint64_t begin) {
    items.note(item, begin, line.size());
  });
  if (!items.empty()) items.open(file);
  return items;
}

JournalState take_up_journal(files::Disk& disk,
                             const std::filesystem::path& file,
                             ItemStore& items,
                             const std::function<void(std::string)>& on_repair) {
  const auto note = [&](const ItemRecord& item, std::string_view line, std::uint64_t begin) {
    items.note(item, begin, line.size());
  };
  const JournalState state = scan_journal(file, note);
  if (!state.damaged_lines.empty()) {
    std::string whole;
    scan_journal(file,
                 [&](const ItemRecord&, std::string_view line, std::uint64_t) { whole += line; });
    disk.replace(file, whole);
    items.clear();
    scan_journal(file, note);
    on_repair(fmt::format("{}: took out {}; their items are computed again", file.string(),
                          describe_damage(state)));
  } else if (state.n_torn_bytes > 0) {
    disk.cut_to(file, state.n_whole_bytes);
    on_repair(fmt::format("cut off the unfinished last line of {}", file.string()));
  }
  return state;
}

Journal load_journal(const std::filesystem::path& file) {
  Journal journal;
  static_cast<JournalState&>(journal) =
      scan_journal(file, [&](ItemRecord item, std::string_view, std::uint64_t) {
        std::string key = item.key;
        journal.items.insert_or_assign(std::move(key), std::move(item));
      });
  return journal;
}

std::size_t count_failed(const Journal& journal) {
  return static_cast<std::size_t>(
      std::count_if(journal.items.begin(), journal.items.end(),
                    [](const auto& item) { return item.second.failure.has_value(); }));
}

std::string describe_damage(const JournalState& journal) {
  std::string lines;
  for (const std::size_t line : journal.damaged_lines) {
    lines += fmt::format("{}{}", lines.empty() ? "" : ", ", line);
  }
  return fmt::format("damaged lines ({})", lines);
}

}  // namespace labelprobe::record
