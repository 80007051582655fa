// SPDX-License-Identifier: Apache-2.0
// The Parquet plug-in: the only code that knows Arrow. Bytes in, columns out, and back.
#include <arrow/api.h>
#include <arrow/buffer_builder.h>
#include <arrow/io/memory.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>
#include <parquet/xxhasher.h>

#include <algorithm>
#include <unordered_map>

#include "perfatlas/base/error.h"
#include "perfatlas/store/column_batch.h"

namespace perfatlas {
namespace {

constexpr int64_t kRowsPerGroup = int64_t{1} << 20;
constexpr std::string_view kWriter = "perfatlas columns ";

/// Errors of Arrow span lines and name source files; ours are one line that says what to do.
void check(const arrow::Status& status) {
  if (status.ok()) return;
  const std::string text = status.message().substr(0, status.message().find('\n'));
  throw Error(
      fmt::format("the Parquet file is damaged or not a table ({}); restore or collect it again", text));
}

template <class T>
T checked(arrow::Result<T> result) {
  check(result.status());
  return std::move(result).ValueUnsafe();
}

// ---- reading -------------------------------------------------------------------------------------------------------

/// Appends the chunks of one column to a ColumnData.
class ColumnReader {
 public:
  explicit ColumnReader(ColumnData& data) : data_(data) {}

  void append(const arrow::Array& chunk) {
    data_.known.resize(data_.known.size() + size_t(chunk.length()), 1);
    if (chunk.null_count() > 0)
      for (int64_t i = 0; i < chunk.length(); ++i)
        data_.known[data_.known.size() - size_t(chunk.length() - i)] = chunk.IsValid(i);
    switch (chunk.type_id()) {
      case arrow::Type::NA:
        data_.kind = ColumnData::Kind::integer;
        return data_.integers.resize(data_.integers.size() + size_t(chunk.length()));
      case arrow::Type::INT8:
        return integers<arrow::Int8Array>(chunk);
      case arrow::Type::INT16:
        return integers<arrow::Int16Array>(chunk);
      case arrow::Type::INT32:
        return integers<arrow::Int32Array>(chunk);
      case arrow::Type::INT64:
        return integers<arrow::Int64Array>(chunk);
      case arrow::Type::UINT8:
        return integers<arrow::UInt8Array>(chunk);
      case arrow::Type::UINT16:
        return integers<arrow::UInt16Array>(chunk);
      case arrow::Type::UINT32:
        return integers<arrow::UInt32Array>(chunk);
      case arrow::Type::FLOAT:
        return reals<arrow::FloatArray>(chunk);
      case arrow::Type::DOUBLE:
        return reals<arrow::DoubleArray>(chunk);
      case arrow::Type::BOOL:
        return booleans(static_cast<const arrow::BooleanArray&>(chunk));
      case arrow::Type::STRING:
        return texts(static_cast<const arrow::StringArray&>(chunk));
      case arrow::Type::LARGE_STRING:
        return texts(static_cast<const arrow::LargeStringArray&>(chunk));
      case arrow::Type::BINARY:
        return texts(static_cast<const arrow::BinaryArray&>(chunk));
      case arrow::Type::STRING_VIEW:
        return texts(static_cast<const arrow::StringViewArray&>(chunk));
      case arrow::Type::DICTIONARY:
        return coded(static_cast<const arrow::DictionaryArray&>(chunk));
      default:
        throw Error(fmt::format("column '{}' is of type {}, which tables do not have", data_.name,
                                chunk.type()->ToString()));
    }
  }

 private:
  template <class Array>
  void integers(const arrow::Array& chunk) {
    data_.kind = ColumnData::Kind::integer;
    numbers<Array>(chunk, data_.integers);
  }
  template <class Array>
  void reals(const arrow::Array& chunk) {
    data_.kind = ColumnData::Kind::real;
    numbers<Array>(chunk, data_.reals);
  }
  /// Of unknown rows 0.
  template <class Array, class Value>
  void numbers(const arrow::Array& chunk, std::vector<Value>& values) {
    const auto& array = static_cast<const Array&>(chunk);
    const auto* const raw = array.raw_values();
    const size_t before = values.size();
    values.resize(before + size_t(array.length()));
    for (size_t i = 0; i < size_t(array.length()); ++i) values[before + i] = Value(raw[i]);
    if (array.null_count() == 0) return;
    for (int64_t i = 0; i < array.length(); ++i)
      if (array.IsNull(i)) values[before + size_t(i)] = 0;
  }
  void booleans(const arrow::BooleanArray& array) {
    data_.kind = ColumnData::Kind::boolean;
    for (int64_t i = 0; i < array.length(); ++i) data_.booleans.push_back(array.IsValid(i) && array.Value(i));
  }
  template <class Array>
  void texts(const Array& array) {
    data_.kind = ColumnData::Kind::text;
    for (int64_t i = 0; i < array.length(); ++i)
      data_.codes.push_back(code_of(array.IsValid(i) ? std::string(array.GetView(i)) : std::string()));
  }
  void coded(const arrow::DictionaryArray& array) {
    data_.kind = ColumnData::Kind::text;
    ColumnData words{.name = data_.name};
    ColumnReader(words).append(*array.dictionary());
    if (words.kind != ColumnData::Kind::text)
      throw Error(fmt::format("column '{}' is a dictionary of {}", data_.name,
                              array.dictionary()->type()->ToString()));
    std::vector<int32_t> code_of_word;
    for (const int32_t code : words.codes) code_of_word.push_back(code_of(words.dictionary[size_t(code)]));
    data_.codes.reserve(data_.codes.size() + size_t(array.length()));
    if (array.null_count() == 0 &&
        array.indices()->type_id() == arrow::Type::INT32) {  // as Parquet gives them
      const int32_t* const raw = static_cast<const arrow::Int32Array&>(*array.indices()).raw_values();
      for (int64_t i = 0; i < array.length(); ++i) data_.codes.push_back(code_of_word.at(size_t(raw[i])));
      return;
    }
    for (int64_t i = 0; i < array.length(); ++i)
      data_.codes.push_back(array.IsValid(i) ? code_of_word.at(size_t(array.GetValueIndex(i))) : code_of(""));
  }
  int32_t code_of(const std::string& text) {
    const auto [entry, is_new] = codes_.try_emplace(text, int32_t(codes_.size()));
    if (is_new) data_.dictionary.push_back(text);
    return entry->second;
  }

  ColumnData& data_;
  std::unordered_map<std::string, int32_t> codes_;
};

std::unique_ptr<parquet::arrow::FileReader> open_reader(std::string_view bytes) {
  parquet::ReaderProperties properties;
  properties.set_page_checksum_verification(true);
  parquet::arrow::FileReaderBuilder builder;
  check(builder.Open(std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(std::string(bytes))),
                     properties));
  parquet::ArrowReaderProperties arrow_properties(/*use_threads=*/false);
  const parquet::SchemaDescriptor* schema = builder.raw_reader()->metadata()->schema();
  for (int i = 0; i < schema->num_columns(); ++i)
    if (schema->Column(i)->physical_type() == parquet::Type::BYTE_ARRAY)
      arrow_properties.set_read_dictionary(i, true);
  std::unique_ptr<parquet::arrow::FileReader> reader;
  check(builder.properties(arrow_properties)->Build(&reader));
  return reader;
}

/// Who wrote a file, with a digest of its column names: pages have checksums, the footer that names the columns has
/// none. A program that writes the table again puts its own name there.
std::string writer_of(const std::vector<std::string>& columns) {
  const std::string names = fmt::format("{}", fmt::join(columns, "\n"));
  return fmt::format("{}{:016x}", kWriter, parquet::XxHasher().Hash(std::string_view(names)));
}

void check_column_names(const arrow::Table& table, const std::string& writer) {
  if (writer.starts_with(kWriter) && writer != writer_of(table.ColumnNames()))
    check(arrow::Status::Invalid("its columns have other names than when it was written"));
}

/// Arrow reads as many rows as each row group says that it has; the counts stand in two other places.
void check_row_counts(const parquet::FileMetaData& file) {
  int64_t rows = 0;
  for (int group = 0; group < file.num_row_groups(); ++group) {
    const auto part = file.RowGroup(group);
    rows += part->num_rows();
    for (int column = 0; column < part->num_columns(); ++column)
      if (part->ColumnChunk(column)->num_values() != part->num_rows())
        check(arrow::Status::Invalid("a column has another number of values than there are rows"));
  }
  if (rows != file.num_rows()) check(arrow::Status::Invalid("it has another number of rows than it says"));
}

ColumnBatch decode_columns(std::string_view bytes) {
  const auto reader = open_reader(bytes);
  check_row_counts(*reader->parquet_reader()->metadata());
  const std::shared_ptr<arrow::Table> table = checked(reader->ReadTable());
  check(table->ValidateFull());  // damaged pages can decode to codes beyond the dictionary
  check_column_names(*table, reader->parquet_reader()->metadata()->created_by());
  ColumnBatch batch{.rows = table->num_rows()};
  for (int i = 0; i < table->num_columns(); ++i) {
    ColumnData& data = batch.columns.emplace_back();
    data.name = table->field(i)->name();
    ColumnReader column(data);
    for (const auto& chunk : table->column(i)->chunks()) column.append(*chunk);
  }
  if (const auto pairs = reader->parquet_reader()->metadata()->key_value_metadata())
    for (int64_t i = 0; i < pairs->size(); ++i) batch.metadata[pairs->key(i)] = pairs->value(i);
  return batch;
}

// ---- writing -------------------------------------------------------------------------------------------------------

/// Which entries are known, one bit each; null when all are.
std::shared_ptr<arrow::Buffer> bits_of(const std::vector<uint8_t>& known) {
  if (std::all_of(known.begin(), known.end(), [](uint8_t k) { return k != 0; })) return nullptr;
  arrow::TypedBufferBuilder<bool> bits;
  check(bits.Append(known.data(), int64_t(known.size())));
  return checked(bits.Finish());
}

/// The values where they are. REQUIRES: they outlive the array.
template <class Array, class Value>
std::shared_ptr<arrow::Array> array_around(const std::vector<Value>& values,
                                           const std::vector<uint8_t>& known) {
  return std::make_shared<Array>(int64_t(values.size()), arrow::Buffer::Wrap(values), bits_of(known));
}

std::shared_ptr<arrow::Array> boolean_array(const ColumnData& data) {
  arrow::BooleanBuilder builder;
  if (!data.booleans.empty())  // Arrow would copy from a null pointer
    check(builder.AppendValues(data.booleans.data(), int64_t(data.booleans.size()), data.known.data()));
  return checked(builder.Finish());
}

/// REQUIRES: `data` outlives the array.
std::shared_ptr<arrow::Array> array_of(const ColumnData& data) {
  switch (data.kind) {
    case ColumnData::Kind::integer:
      return array_around<arrow::Int64Array>(data.integers, data.known);
    case ColumnData::Kind::real:
      return array_around<arrow::DoubleArray>(data.reals, data.known);
    case ColumnData::Kind::boolean:
      return boolean_array(data);
    case ColumnData::Kind::text:
      break;
  }
  arrow::StringBuilder words;
  if (!data.dictionary.empty()) check(words.AppendValues(data.dictionary));
  return checked(arrow::DictionaryArray::FromArrays(array_around<arrow::Int32Array>(data.codes, data.known),
                                                    checked(words.Finish())));
}

std::string encode_columns(const ColumnBatch& batch) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const ColumnData& data : batch.columns) {
    arrays.push_back(array_of(data));
    fields.push_back(arrow::field(data.name, arrays.back()->type()));
  }
  const auto table = arrow::Table::Make(arrow::schema(fields), arrays, batch.rows);
  const auto metadata = std::make_shared<arrow::KeyValueMetadata>();
  for (const auto& [key, value] : batch.metadata) metadata->Append(key, value);
  parquet::WriterProperties::Builder properties;
  properties.compression(arrow::Compression::ZSTD)
      ->enable_page_checksum()
      ->created_by(writer_of(table->ColumnNames()));
  const auto sink = checked(arrow::io::BufferOutputStream::Create());
  const auto writer = checked(parquet::arrow::FileWriter::Open(*table->schema(), arrow::default_memory_pool(),
                                                               sink, properties.build()));
  check(writer->WriteTable(*table, kRowsPerGroup));
  check(writer->AddKeyValueMetadata(metadata));
  check(writer->Close());
  return checked(sink->Finish())->ToString();
}

/// Damage is reported by exceptions of many kinds (parquet's own, bad_alloc for absurd sizes, out_of_range); nothing
/// but Error leaves the plug-in.
template <class Call>
auto guarded(const Call& call) {
  try {
    return call();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    check(arrow::Status::Invalid(error.what()));
    throw;  // not reached: an invalid status throws
  }
}

class ArrowCodec final : public ParquetCodec {
 public:
  ColumnBatch decode(std::string_view bytes) override {
    return guarded([&] { return decode_columns(bytes); });
  }
  std::string encode(const ColumnBatch& batch) override {
    return guarded([&] { return encode_columns(batch); });
  }
};

}  // namespace
}  // namespace perfatlas

extern "C" __attribute__((visibility("default"))) perfatlas::ParquetCodec* perfatlas_parquet_codec(int abi) {
  return abi == perfatlas::kParquetCodecAbi ? new perfatlas::ArrowCodec : nullptr;
}
