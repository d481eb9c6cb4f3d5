#include "tokenizer/formats/sentencepiece_settings.h"

#include <cstdint>

namespace labelprobe::tokenizer {

namespace {

// Field numbers of sentencepiece_model.proto.
constexpr std::uint64_t kPieces = 1;
constexpr std::uint64_t kTrainerSpec = 2;
constexpr std::uint64_t kNormalizerSpec = 3;
constexpr std::uint64_t kModelType = 3;  // of the trainer
constexpr std::uint64_t kBpeModel = 2;
constexpr std::uint64_t kSpacesAsSuffix = 24;
constexpr std::uint64_t kRules = 2;  // of the normalizer
constexpr std::uint64_t kAddsPrefix = 3;
constexpr std::uint64_t kDropsSpaces = 4;
constexpr std::uint64_t kEscapesSpaces = 5;

struct Field {
  std::uint64_t number = 0;
  std::uint64_t integer = 0;  // of a varint field
  std::string_view bytes;     // of a length-delimited one
};

bool read_varint(std::string_view& rest, std::uint64_t* integer) {
  *integer = 0;
  for (int shift = 0; shift < 64 && !rest.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    *integer |= std::uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) {
      return true;
    }
  }
  return false;
}

// The next field of a message; false if there is none that can be read.
bool read_field(std::string_view& rest, Field* field) {
  std::uint64_t tag = 0;
  if (!read_varint(rest, &tag)) {
    return false;
  }
  *field = {tag >> 3, 0, {}};
  std::uint64_t length = 0;
  switch (tag & 7) {
    case 0:
      return read_varint(rest, &field->integer);
    case 1:
      length = 8;
      break;
    case 2:
      if (!read_varint(rest, &length)) {
        return false;
      }
      break;
    case 5:
      length = 4;
      break;
    default:
      return false;
  }
  if (length > rest.size()) {
    return false;
  }
  field->bytes = rest.substr(0, length);
  rest.remove_prefix(length);
  return true;
}

template <class Visit>
bool for_each_field(std::string_view message, const Visit& visit) {
  Field field;
  while (!message.empty()) {
    if (!read_field(message, &field)) {
      return false;
    }
    visit(field);
  }
  return true;
}

}  // namespace

std::optional<SentencePieceSettings> SentencePieceSettings::read(std::string_view model) {
  SentencePieceSettings settings;
  bool has_pieces = false;
  bool is_read = true;
  bool drops_spaces = true;
  bool escapes_spaces = true;
  const auto visit_trainer = [&](const Field& field) {
    if (field.number == kModelType) {
      settings.is_bpe = field.integer == kBpeModel;
    } else if (field.number == kSpacesAsSuffix) {
      settings.changes_text |= field.integer != 0;
    }
  };
  const auto visit_normalizer = [&](const Field& field) {
    if (field.number == kRules) {
      settings.changes_text |= !field.bytes.empty();
    } else if (field.number == kAddsPrefix) {
      settings.adds_prefix = field.integer != 0;
    } else if (field.number == kDropsSpaces) {
      drops_spaces = field.integer != 0;
    } else if (field.number == kEscapesSpaces) {
      escapes_spaces = field.integer != 0;
    }
  };
  is_read &= for_each_field(model, [&](const Field& field) {
    has_pieces |= field.number == kPieces;
    if (field.number == kTrainerSpec) {
      is_read &= for_each_field(field.bytes, visit_trainer);
    } else if (field.number == kNormalizerSpec) {
      is_read &= for_each_field(field.bytes, visit_normalizer);
    }
  });
  settings.changes_text |= drops_spaces || !escapes_spaces;
  return is_read && has_pieces ? std::optional(settings) : std::nullopt;
}

}  // namespace labelprobe::tokenizer
