"""The mark that pictures and films carry: a trained model drew them. Apart from gan.images, since film.py
needs no torch.
"""

MAKER = "GANarium"

# IPTC Photo Metadata Standard 2023.2, property DigitalSourceType of the schema Iptc4xmpExt.
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    'Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"/></rdf:RDF></x:xmpmeta>'
)
# for formats that hold a line of text
COMMENT = f"{MAKER}: drawn by a trained model (trainedAlgorithmicMedia)"
